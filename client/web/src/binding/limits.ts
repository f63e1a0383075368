/** Bounds on what one user can put into a prompt, kept well below the server's, whose refusal is final. */

/** UTF-16 code units one change may insert: at most 3 MB of UTF-8 in a frame of at most 8 MiB. */
export const MAX_CHANGE_UNITS = 1_000_000;

/** UTF-16 code units of a whole prompt: at most 12 MB of UTF-8 in a document of at most 16 MiB. */
export const MAX_TEXT_UNITS = 4_000_000;
