"""Real processes stopped at many moments, and what they left behind judged.

`scenarios` is the table: what lies there, which command is stopped, what must hold afterwards. `sitting` stops it many
times: at random moments spread over its phases (`moments`), or before its n-th change to the disk (`deadly`). A new
command joins with one row in the table.
"""
