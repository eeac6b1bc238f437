"""Lists of addresses become folders of checked photos, with a manifest of where each came from.

    lists             a list in any of its usual forms -> rows of label and address (records, columns, plain)
    known             rows that are settled without asking anybody: broken, copies, or saved before
    urls, addresses   which addresses may be asked for, and which machines may be reached (names)
    robots            what a host's robots.txt permits
    connections       open connections, pinned to the address that was checked
    exchange          one request and its answer: bounded in bytes, and in time between two of them (encodings)
    download          one address -> its content: redirects, robots, limits
    turns             whose turn it is: parallel, yet gentle with each host (patience, silence)
    places, manifest  where a photo is put; `.fetched.jsonl`, a line for every row
    crawl             the list -> the folder, one process at a time (claim)
    settings, reasons all limits of a run; the kinds of trouble a row can have

`finegraft.fetching.crawl.fetch` does it all. Only `exchange` and what imports it need a package of the `train` extra.
"""
