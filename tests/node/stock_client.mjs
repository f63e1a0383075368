// The stock y-websocket client, unmodified, as many of them as are asked for: one JSON object per line in, one per
// line out, by id.
//
//   {"id", "do": "open", "client", "url", "prompt", "with": "header" | "ticket" | "protocol", "secret", "clientID"?}
//   {"id", "do": "edit", "client", "at", "remove", "insert"}   in UTF-16 code units
//   {"id", "do": "presence", "client", "state"}                what it says of itself; null takes it back
//   {"id", "do": "report", "clients"}                          → for each: what it shows and how its connection fared
//   {"id", "do": "close", "client"}

import { createInterface } from 'node:readline'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'

// Counts what it receives. Programs send the token in a header, which browsers cannot.
const socketOf = (client, headers = {}) => class extends WebSocket {
  constructor (url, protocols) {
    super(url, protocols, { headers })
    this.addEventListener('message', () => client.messages++)
  }
}

const ways = {
  header: (client, token) => ({ WebSocketPolyfill: socketOf(client, { Authorization: `Bearer ${token}` }) }),
  ticket: (client, ticket) => ({ WebSocketPolyfill: socketOf(client), params: { ticket } }),
  protocol: (client, token) => ({ WebSocketPolyfill: socketOf(client), protocols: ['promptroom.v1', `bearer.${token}`] })
}

const clients = new Map()
const complaints = []
console.error = (...words) => complaints.push(words.join(' '))

class Client {
  constructor ({ url, prompt, with: way, secret, clientID }) {
    this.document = new Y.Doc()
    if (clientID) this.document.clientID = clientID
    this.content = this.document.getText('content')
    this.opened = 0
    this.messages = 0
    this.closes = []
    this.provider = new WebsocketProvider(url, prompt, this.document, { disableBc: true, ...ways[way](this, secret) })
    this.provider.on('status', ({ status }) => { if (status === 'connected') this.opened++ })
    this.provider.on('connection-close', (event) => this.closes.push(event?.code ?? null))
  }

  edit ({ at, remove, insert }) {
    this.document.transact(() => {
      if (remove) this.content.delete(at, remove)
      if (insert) this.content.insert(at, insert)
    })
  }

  report () {
    const { provider, document } = this
    const { pendingStructs, pendingDs } = document.store
    return {
      text: this.content.toString(),
      client_id: document.clientID,
      connected: provider.wsconnected,
      connects: provider.shouldConnect,
      synced: provider.synced,
      waiting: pendingStructs !== null || pendingDs !== null,
      opened: this.opened,
      closes: this.closes,
      messages: this.messages,
      presence: Object.fromEntries(provider.awareness.getStates()),
      complaints
    }
  }

  close () {
    this.provider.destroy()
    this.document.destroy()
  }
}

const find = (name) => clients.get(name) ?? (() => { throw new Error(`no client ${name}`) })()

const actions = {
  open: (options) => { clients.set(options.client, new Client(options)) },
  edit: ({ client, ...change }) => find(client).edit(change),
  presence: ({ client, state }) => find(client).provider.awareness.setLocalState(state),
  report: ({ clients: names }) => names.map((name) => find(name).report()),
  close: ({ client }) => {
    find(client).close()
    clients.delete(client)
  }
}

const answer = (message) => process.stdout.write(JSON.stringify(message) + '\n')

// What the client throws while it reads a message would have broken a browser.
process.on('uncaughtException', (error) => answer({ id: null, error: error.stack }))

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: action, ...options } = JSON.parse(line)
  try {
    answer({ id, result: actions[action](options) ?? null })
  } catch (error) {
    answer({ id, error: error.stack })
  }
}
process.exit(0)
