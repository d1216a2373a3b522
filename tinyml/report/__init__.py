"""Shows results: one description of a page for terminal, HTML, JUnit and JSON.

A command's records come in, a `Page` goes out: a file that is named like a result (`validation`,
`streaming`, `evaluation`, `spotting`, `benchmark`, `inspection`, `firmware`, `training`) builds it.
`page` has the few blocks of which every page is made; `terminal`, `html`, `junit` and `document`
render it. Templates do no arithmetic that decides what is said, and escape every text: names may
come from a hostile device or model file.
"""
