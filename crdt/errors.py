"""What can go wrong in ``crdt``, and under which stable code.

::

    CrdtError                 crdt_error
    ├── FrameError            frame_malformed   (the sender's fault)
    │     frame_truncated · frame_unknown_type · frame_trailing_bytes · frame_text_invalid
    │     frame_too_many_messages · varint_oversize
    ├── FrameTooLarge         frame_too_large   (the sender's fault)
    ├── UpdateError           update_malformed  (the sender's fault)
    │     update_truncated · update_varint_oversize · update_clock_oversize
    │     update_count_oversize · update_client_repeated · update_empty_struct
    │     update_empty_range · update_range_order · update_own_future · update_circular
    │     update_parent_invalid · update_content_unsupported · update_nested_too_deep
    │     update_text_invalid · update_json_invalid · update_trailing_bytes
    │     update_pair_split · update_neighbours_impossible
    ├── StateVectorError      state_vector_malformed   (the sender's fault)
    │     state_vector_splits_pair
    ├── AwarenessError        awareness_malformed      (the sender's fault)
    ├── OffsetError           offset_invalid    (the caller's fault)
    ├── HoldBackFull          hold_back_full    (nobody's fault: a bound was reached)
    └── EngineFailure         engine_failed     (the engine's fault: the document is condemned)

A code is what other programs may branch on; the message is for people and may change.  A class
stands for a group of codes that are handled alike; the code of an instance names the rule that
was broken.
"""

from __future__ import annotations


class CrdtError(Exception):
    """The root of the tree.

    Args:
        message: one sentence for people.
        code: the rule that was broken, when it is narrower than the code of the class.
    """

    code: str = "crdt_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class FrameError(CrdtError):
    """A frame is not a sequence of whole, known messages."""

    code = "frame_malformed"


class FrameTooLarge(CrdtError):
    """A frame is larger than this end accepts."""

    code = "frame_too_large"


class UpdateError(CrdtError):
    """An update breaks a rule of the strict reader; the engine must never see it."""

    code = "update_malformed"


class StateVectorError(CrdtError):
    """A state vector breaks a rule of the strict reader; the engine must never see it."""

    code = "state_vector_malformed"


class AwarenessError(CrdtError):
    """A presence payload breaks a rule of the strict reader."""

    code = "awareness_malformed"


class OffsetError(CrdtError):
    """An offset is out of bounds or inside a surrogate pair."""

    code = "offset_invalid"


class HoldBackFull(CrdtError):
    """Updates that wait for others have reached their bound in number or bytes."""

    code = "hold_back_full"


class EngineFailure(CrdtError):
    """The engine raised; its document may be half changed and must be thrown away."""

    code = "engine_failed"
