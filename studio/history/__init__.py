"""Everything that was made, so that it is found again: a database over the pictures. No torch.

A picture's own chunk stays the truth: the database is made anew from the pictures and from the
journal of what people said of them (stars, notes, tags, boards) whenever it is lost.
"""

from studio.history.query import SORTS, Query
from studio.history.record import Record, identity, record_of
from studio.history.store import Found, History, history

__all__ = ["SORTS", "Found", "History", "Query", "Record", "history", "identity", "record_of"]
