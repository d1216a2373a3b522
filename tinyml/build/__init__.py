"""From a project to firmware: PlatformIO, its downloads, checks of what it linked."""
