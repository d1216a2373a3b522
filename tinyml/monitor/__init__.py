"""A person before a live board.

A running device as a person wants to see it: live on a terminal, as lines, or on a web page.

Data flows one way: `session` connects, streams, reconnects and tells it as `events`; `feed` takes
them from its thread to the one that shows; `picture` folds them into what is shown. The views turn
events and picture into text, and neither print nor talk to the device:

* `lines`: a line of text and a JSON record for an event;
* `screen`: what fills a terminal;
* `messages` and `web`: what a page in a browser draws, and the server that sends it there.

`twin` is the host's own front end, fed with the samples that the device has; `keep` and `shelf`
make recordings for training of what was heard.

To add a view, add a file with an `events.View`, or one that reads the picture. A front end is drawn
by the page's entry of its name in `page.js` (`pictures`), else as pictures or bands, by the shape
of its rows.
"""

from __future__ import annotations

from tinyml.monitor.picture import Picture
from tinyml.monitor.session import Session, SessionOptions

__all__ = ["Picture", "Session", "SessionOptions"]
