"""From generated C to a project: boards, sensors, settings, rendered templates."""
