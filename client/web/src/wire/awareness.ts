/** The inside of a presence message, as far as we look into it ourselves. Source: y-protocols `awareness.js`. */
import * as decoding from 'lib0/decoding';

/** The state that a presence message holds for a client; `null` when it holds none. Raises for a malformed payload. */
export function readState(payload: Uint8Array, clientId: number): Record<string, unknown> | null {
  const decoder = decoding.createDecoder(payload);
  for (let rest = decoding.readVarUint(decoder); rest > 0; rest -= 1) {
    const client = decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    const state: unknown = JSON.parse(decoding.readVarString(decoder));
    if (client === clientId) return state as Record<string, unknown> | null;
  }
  return null;
}
