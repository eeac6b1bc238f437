"""What one would write without finegraft to put the same network behind HTTP, in an environment of its own.

`network` loads the exported tensors; `fastapi_app` and `litserve_app` serve it; `running` starts them.
"""
