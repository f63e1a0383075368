// Real Yjs as a judge and as a source of honest updates: one JSON object per line in, one per line out, in order.
//
//   {"do": "read", "updates": [base64, …], "insertAt": 0…1 or absent}
//     A new document takes the updates one by one; at the place given as a part of its text, one character is typed.
//     → {"text", "pending", "edit": base64 or null}   pending: something was left waiting; edit: what was typed
//   {"do": "diff", "updates": [base64, …], "stateVector": base64}
//     → {"update": base64}   what a replica with that state vector lacks
//   {"do": "session", "seed": n, "steps": n, "level": "text" | "formatted" | "everything"}
//     → {"updates": [base64, …], "text"}   what some clients sent each other, in an order that can be applied
//
// Whatever Yjs throws is answered as {"error"}.

import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { session } from './yjs_session.mjs'

const fromBase64 = (text) => new Uint8Array(Buffer.from(text, 'base64'))
const toBase64 = (bytes) => Buffer.from(bytes).toString('base64')

const documentOf = (updates) => {
  const document = new Y.Doc()
  document.getText('content')
  for (const update of updates) Y.applyUpdate(document, fromBase64(update))
  return document
}

const typeAt = (document, part) => {
  const content = document.getText('content')
  let edit = null
  document.once('update', (update) => { edit = toBase64(update) })
  content.insert(Math.floor(part * (content.length + 1)), '#')
  return edit
}

const actions = {
  read: ({ updates, insertAt }) => {
    const document = documentOf(updates)
    const pending = document.store.pendingStructs !== null || document.store.pendingDs !== null
    const edit = insertAt === undefined ? null : typeAt(document, insertAt)
    Y.encodeStateAsUpdate(document)
    return { text: document.getText('content').toString(), pending, edit }
  },
  diff: ({ updates, stateVector }) => ({
    update: toBase64(Y.encodeStateAsUpdate(documentOf(updates), fromBase64(stateVector)))
  }),
  session: (plan) => {
    const { updates, text } = session(plan)
    return { updates: updates.map(toBase64), text }
  }
}

const answer = (request) => {
  try {
    return actions[request.do](request)
  } catch (error) {
    return { error: String(error) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n')
}
