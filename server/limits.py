"""Every bound of the server, each with its reason. A bound that is reached is an answer, never a crash."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- frames and documents -------------------------------------------------------------------------------------------

# Room for a first sync of a large prompt with history; a client caps its pastes far below.
MAX_FRAME_BYTES: Final = 8 * MIB
# Parts of one WebSocket message; 2 KiB each in the largest. Empty parts cost memory and have no size to bound.
MAX_FRAGMENTS: Final = 4_096
# Encoded state of one prompt. Prompts are tens of KB; 16 MiB still rebuilds in well under a second in a worker.
MAX_DOCUMENT_BYTES: Final = 16 * MIB
# A y-websocket client uses one id for its life; a tab that reloads its document takes another now and then.
MAX_CLIENT_IDS_PER_CONNECTION: Final = 16
# From here on merging and replaying leave the event loop: the engine holds the GIL, about 1 ms per 256 KiB.
HEAVY_BYTES: Final = 256 * KIB
# Separate insertions in one update: the event loop judges each, 10 µs and more, before the next frame of anybody is
# looked at. What was typed or pasted in one go counts as one; hours of scattered typing offline come to some thousands.
MAX_INSERTIONS_PER_UPDATE: Final = 20_000

# --- presence -------------------------------------------------------------------------------------------------------

# A name, a colour and a few selections are under 1 KiB.
MAX_AWARENESS_STATE_BYTES: Final = 8 * KIB
# A client speaks for itself; a stock provider may re-send a small room's worth of states.
MAX_AWARENESS_ENTRIES: Final = 64
# y-protocols' outdatedTimeout: clients renew their state at half of it.
AWARENESS_TIMEOUT_SECONDS: Final = 30.0
# Stock clients hang up after 30 s of silence; the contract promises something every 15 s.
KEEPALIVE_SECONDS: Final = 12.0

# --- queues ---------------------------------------------------------------------------------------------------------

# Edits of one room that wait for a commit: several of the largest frames, and hours of typing.
INBOX_BYTES: Final = 32 * MIB
# Updates of other nodes that wait until what came before them is shown; what does not fit is read from the journal.
ARRIVALS_BYTES: Final = 8 * MIB
# Each takes 1 KB of memory, a keystroke of 20 bytes too, and all that waited is shown in one turn of the loop.
MAX_ARRIVALS: Final = 2_000
# Bytes that wait in one socket before its session stops receiving and is resynchronised by a diff.
OUTBOX_BYTES: Final = 1 * MIB
# A reader that takes none of its bytes for this long is gone in all but name.
OUTBOX_DRAIN_SECONDS: Final = 20.0
# Questions (step 1, who is here) that one connection gets answered a second. A question has ten bytes and an answer may
# be a whole document; clients ask when they connect.
ANSWERS_PER_TICK: Final = 20
# Out-of-order updates of one room: honest clients cause a handful.
HOLD_BACK_UPDATES: Final = 1_000
HOLD_BACK_BYTES: Final = 4 * MIB
# At 10 KB each, measured, this is 200 MB.
MAX_CONNECTIONS: Final = 20_000

# --- HTTP -----------------------------------------------------------------------------------------------------------

# Request line and headers: a token has 600 bytes, and browsers send a few KB of cookies of other servers on the host.
MAX_HEAD_BYTES: Final = 64 * KIB
# From the first byte, or the connection, to the end of a request; the largest body needs 70 KB/s.
REQUEST_SECONDS: Final = 30.0
# JSON bodies: a prompt's text with escapes, twice over. Larger texts come in through the editor.
MAX_BODY_BYTES: Final = 2 * MIB
# UTF-16 code units of a text handed to POST /prompts or of all texts of one POST …/edits.
MAX_CONTENT_LENGTH: Final = 1_000_000
# Each is looked up in the whole text, at most about a millisecond in the largest.
MAX_EDITS_PER_REQUEST: Final = 100
# Names are shown in lists and tabs.
MAX_NAME_LENGTH: Final = 200
MAX_EMAIL_LENGTH: Final = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
MIN_PASSWORD_LENGTH: Final = 8  # NIST SP 800-63B §3.1.1
MAX_PASSWORD_LENGTH: Final = 256
MAX_PAGE_ITEMS: Final = 100
DEFAULT_PAGE_ITEMS: Final = 50
# A version's id has 40 digits, a label at most 64 characters.
MAX_REF_LENGTH: Final = 64
# A message is read in a list, and travels with every clone.
MAX_VERSION_MESSAGE_LENGTH: Final = 10_000
MAX_LABEL_REASON_LENGTH: Final = 1_000
# Characters of two texts that are compared: seconds of a worker, and some 10 MB of answer, in the worst case.
MAX_COMPARED_LENGTH: Final = 2_000_000
MAX_IDEMPOTENCY_KEY_LENGTH: Final = 200
# Tokens of ours are under 600 bytes; nothing longer is even decoded.
MAX_TOKEN_BYTES: Final = 4 * KIB

# --- signing in -----------------------------------------------------------------------------------------------------

# Short, because a signed token cannot be called back; the refresh cookie renews it.
ACCESS_TOKEN_SECONDS: Final = 15 * 60.0
# A browser that was not opened for a month signs in again.
REFRESH_TOKEN_SECONDS: Final = 30 * 24 * 3600.0
# The link that `promptroom serve` and `promptroom link` print.
SIGN_IN_LINK_SECONDS: Final = 3600.0
# A link that travels by mail or chat.
INVITATION_SECONDS: Final = 7 * 24 * 3600.0
# Between asking for a ticket and opening the socket lies one round trip; it may stand in an access log.
WEBSOCKET_TICKET_SECONDS: Final = 30.0
# Failed sign-ins for one address of one account before it has to wait, and for how long they count.
SIGN_IN_ATTEMPTS: Final = 10
SIGN_IN_WINDOW_SECONDS: Final = 300.0
# Accounts whose failed attempts are remembered: 10,000 take about 2 MB.
SIGN_IN_ACCOUNTS_REMEMBERED: Final = 10_000
# Each argon2 check takes 64 MiB and tens of milliseconds of a core.
PASSWORD_CHECKS_AT_ONCE: Final = 2
PASSWORD_CHECKS_WAITING: Final = 32
# `promptroom token --ttl`: a forgotten token should not live for ever.
MAX_TOKEN_SECONDS: Final = 366 * 24 * 3600.0

# --- the process ----------------------------------------------------------------------------------------------------

# WebSocket protocol pings: finds dead peers behind a NAT, within twice this time. Every second keepalive: they share a
# look at the connection.
WEBSOCKET_PING_SECONDS: Final = 24.0
# A readiness probe answers before its caller gives up.
READINESS_SECONDS: Final = 2.0
