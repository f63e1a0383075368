// Many real Yjs clients in one process, told what to do: one JSON object per line in, one per line out, by id.
//
//   {"id", "do": "open", "client", "url", "prompt", "token", "kind": "stock" | "extended", "seed"}
//   {"id", "do": "connect" | "disconnect" | "close", "client"}
//   {"id", "do": "edit", "client", "how": "insert" | "delete" | "replace" | "undo" | "redo", "at", "length", "text"}
//   {"id", "do": "type", "client", "after", "text"}   insert behind the last occurrence of a text
//   {"id", "do": "hold", "client", "way": "incoming" | "outgoing"}
//   {"id", "do": "release", "client", "way", "shuffled": bool}
//   {"id", "do": "report", "clients"}   → for each: text, clocks, what is saved, whether anything waits for something
//   {"id", "do": "authors", "client"}   → whose each part of the text is: [length, Yjs client id], in order
//   {"id", "do": "replay", "updates"}   → the text that a new document comes to
//
// `at` is a fraction of the present text, so that a plan fits whatever text it meets.

import { createInterface } from 'node:readline'
import WebSocket from 'ws'
import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as syncProtocol from 'y-protocols/sync'
import { WebsocketProvider } from 'y-websocket'

const SYNC = 0
const ACKNOWLEDGEMENT = 8
const ROOM_EVENT = 9
const FIRST_BACK_OFF = 50
const LAST_BACK_OFF = 1000

// mulberry32: the same numbers for the same seed, everywhere
const randomSource = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}

const shuffle = (list, random) => {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]]
  }
}

// --- a network that can be held up ----------------------------------------------------------------------------------

class Way {
  // One direction of one connection: passes frames on, or keeps them until they are released.
  constructor (pass) {
    this.pass = pass
    this.held = false
    this.frames = []
  }

  take (frame) {
    if (this.held) this.frames.push(frame)
    else this.pass(frame)
  }

  release (random) {
    this.held = false
    const frames = this.frames
    this.frames = []
    if (random !== null) shuffle(frames, random)
    frames.forEach(this.pass)
  }
}

// The part of a browser's WebSocket that clients use, with a token in the header and both ways under control.
const socketFor = (client) => class {
  static OPEN = WebSocket.OPEN

  constructor (url, protocols = []) {
    this.inner = new WebSocket(url, protocols, { headers: { Authorization: `Bearer ${client.token}` }, perMessageDeflate: false })
    this.inner.binaryType = 'arraybuffer'
    this.OPEN = WebSocket.OPEN
    this.ways = {
      incoming: new Way((data) => this.onmessage?.({ data })),
      outgoing: new Way((data) => { if (this.inner.readyState === WebSocket.OPEN) this.inner.send(data) })
    }
    this.inner.onopen = (event) => this.onopen?.(event)
    this.inner.onmessage = ({ data }) => this.ways.incoming.take(data)
    this.inner.onerror = (event) => this.onerror?.(event)
    this.inner.onclose = (event) => {
      client.closes.push(event.code)
      this.onclose?.(event)
    }
    client.socket = this
  }

  get readyState () { return this.inner.readyState }

  send (data) { this.ways.outgoing.take(data) }

  close () { this.inner.close() }

  cut () { this.inner.terminate() }
}

// --- clients --------------------------------------------------------------------------------------------------------

class Client {
  constructor ({ url, prompt, token, seed }) {
    Object.assign(this, { url, prompt, token })
    this.random = randomSource(seed)
    this.document = new Y.Doc()
    this.content = this.document.getText('content')
    this.undo = new Y.UndoManager(this.content, { captureTimeout: 0 })
    this.closes = []
    this.socket = null
  }

  get text () { return this.content.toString() }

  edit (how, at, length, text) {
    if (how === 'undo') this.undo.undo()
    else if (how === 'redo') this.undo.redo()
    else {
      const [start, end] = this.span(at, length)
      this.document.transact(() => {
        if (how !== 'insert' && end > start) this.content.delete(start, end - start)
        if (how !== 'delete') this.content.insert(start, text)
      })
    }
  }

  // Never between the halves of a surrogate pair: no editor puts a caret there.
  span (at, length) {
    const text = this.text
    const whole = (place) => (/[\udc00-\udfff]/.test(text.charAt(place)) ? place - 1 : place)
    const start = whole(Math.floor(at * (text.length + 1)))
    return [start, whole(Math.min(text.length, start + length))]
  }

  type (after, text) {
    const place = this.text.lastIndexOf(after)
    if (place < 0) throw new Error(`${after} is not in the text`)
    this.content.insert(place + after.length, text)
  }

  report () {
    const store = this.document.store
    return {
      text: this.text,
      clocks: Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(this.document))),
      waiting: store.pendingStructs !== null || store.pendingDs !== null,
      closes: this.closes
    }
  }

  close () {
    this.disconnect()
    this.undo.destroy()
    this.document.destroy()
  }
}

// The y-websocket client as it is published, on our socket.
class StockClient extends Client {
  constructor (options) {
    super(options)
    this.provider = new WebsocketProvider(this.url, this.prompt, this.document, {
      connect: false, disableBc: true, maxBackoffTime: LAST_BACK_OFF, WebSocketPolyfill: socketFor(this)
    })
  }

  connect () { this.provider.connect() }

  disconnect () {
    this.socket?.cut()
    this.provider.disconnect()
  }

  report () {
    const { synced, wsconnected } = this.provider
    return { ...super.report(), connected: wsconnected, synced, saved: null, typed: null, acknowledged: null, events: [] }
  }

  close () {
    super.close()
    this.provider.destroy()
  }
}

// The same dialect with acknowledgements and room events, as the editor in the browser speaks it.
class ExtendedClient extends Client {
  constructor (options) {
    super(options)
    this.Socket = socketFor(this)
    this.wanted = false
    this.typed = 0
    this.acknowledged = 0
    this.events = []
    this.tries = 0
    this.reset()
    this.document.on('update', (update, origin) => {
      if (origin === this) return
      this.typed++
      if (this.answered) this.sendSync((encoder) => syncProtocol.writeUpdate(encoder, update), true)
    })
  }

  reset () {
    // How many edits had been made when the n-th countable message of this connection was sent.
    this.marks = [this.acknowledged]
    this.count = 0
    this.answered = false
    this.synced = false
    this.connected = false
  }

  connect () {
    this.wanted = true
    if (this.socket === null) this.dial()
  }

  disconnect () {
    this.wanted = false
    clearTimeout(this.timer)
    this.socket?.cut()
  }

  dial () {
    clearTimeout(this.timer)
    const socket = new this.Socket(`${this.url}/${this.prompt}`, ['promptroom.v1'])
    socket.onopen = () => {
      this.connected = true
      this.sendSync((encoder) => syncProtocol.writeSyncStep1(encoder, this.document), false)
    }
    socket.onmessage = ({ data }) => { if (socket === this.socket) this.receive(new Uint8Array(data)) }
    socket.onerror = () => {}
    socket.onclose = ({ code }) => {
      if (socket !== this.socket) return
      this.socket = null
      this.reset()
      if (this.wanted && !(code >= 4400 && code < 4500)) {
        const delay = Math.min(LAST_BACK_OFF, FIRST_BACK_OFF * 2 ** this.tries++)
        this.timer = setTimeout(() => this.dial(), delay * (0.5 + this.random() / 2))
      }
    }
  }

  sendSync (write, countable) {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, SYNC)
    write(encoder)
    if (countable) this.marks.push(this.typed)
    this.socket?.send(encoding.toUint8Array(encoder))
  }

  receive (frame) {
    const decoder = decoding.createDecoder(frame)
    const kind = decoding.readVarUint(decoder)
    if (kind === SYNC) this.receiveSync(decoder)
    else if (kind === ACKNOWLEDGEMENT) this.acknowledge(decoding.readVarUint(decoder))
    else if (kind === ROOM_EVENT) this.events.push(JSON.parse(decoding.readVarString(decoder)))
  }

  receiveSync (decoder) {
    const kind = decoding.readVarUint(decoder)
    const bytes = decoding.readVarUint8Array(decoder)
    if (kind === syncProtocol.messageYjsSyncStep1) {
      this.answered = true
      this.sendSync((encoder) => syncProtocol.writeSyncStep2(encoder, this.document, bytes), true)
    } else {
      Y.applyUpdate(this.document, bytes, this)
      if (kind === syncProtocol.messageYjsSyncStep2 && !this.synced) {
        this.synced = true
        this.tries = 0
      }
    }
  }

  acknowledge (count) {
    if (count < this.count || count >= this.marks.length) throw new Error(`${count} acknowledged after ${this.count} of ${this.marks.length - 1}`)
    this.count = count
    this.acknowledged = Math.max(this.acknowledged, this.marks[count])
  }

  report () {
    const { connected, synced, typed, acknowledged, events } = this
    return { ...super.report(), connected, synced, saved: synced && this.count === this.marks.length - 1, typed, acknowledged, events }
  }
}

// --- commands -------------------------------------------------------------------------------------------------------

// Every stock client listens to the end of the process.
process.setMaxListeners(0)

const clients = new Map()

const find = (name) => {
  const client = clients.get(name)
  if (!client) throw new Error(`no client ${name}`)
  return client
}

const replay = (updates) => {
  const document = new Y.Doc()
  for (const update of updates) Y.applyUpdate(document, new Uint8Array(Buffer.from(update, 'base64')))
  const waiting = document.store.pendingStructs !== null || document.store.pendingDs !== null
  return { text: document.getText('content').toString(), waiting }
}

// What stands in the text as Yjs itself keeps it: every item bears the id of the client that inserted it.
const authors = ({ content }) => {
  const runs = []
  for (let item = content._start; item !== null; item = item.right) {
    if (!item.deleted && item.content instanceof Y.ContentString) runs.push([item.length, item.id.client])
  }
  return runs
}

const actions = {
  open (options) {
    clients.set(options.client, options.kind === 'stock' ? new StockClient(options) : new ExtendedClient(options))
  },
  connect: ({ client }) => find(client).connect(),
  disconnect: ({ client }) => find(client).disconnect(),
  close ({ client }) {
    find(client).close()
    clients.delete(client)
  },
  edit: ({ client, how, at, length, text }) => find(client).edit(how, at, length, text),
  type: ({ client, after, text }) => find(client).type(after, text),
  hold ({ client, way }) {
    const socket = find(client).socket
    if (socket) socket.ways[way].held = true
  },
  release ({ client, way, shuffled }) {
    const found = find(client)
    found.socket?.ways[way].release(shuffled ? found.random : null)
  },
  report: ({ clients: names }) => names.map((name) => find(name).report()),
  authors: ({ client }) => authors(find(client)),
  replay: ({ updates }) => replay(updates)
}

const answer = (message) => process.stdout.write(JSON.stringify(message) + '\n')

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
