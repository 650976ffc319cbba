"""AUTOMATIC1111's HTTP interface (``/sdapi/v1``), so that programs made for it find the studio.

Off by default (``--webui-api``). A request becomes a preset as a picture of that tool does, runs in the
page's own queue, and its pictures stand in the History. Facts about the interface are from its own
``/docs``; what has no place here is named in the answer.
"""
