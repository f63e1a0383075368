// Some people edit one document with all that Yjs offers, hear of each other late, and undo what they did.

import * as Y from 'yjs'

// The last is half a surrogate pair, as a careless editor types it; Yjs writes it as U+FFFD.
const WORDS = ['a', 'b ', 'role', '{{name}}', '\n', 'é', '漢字', '😀', '👩‍👧', 'x😀y', 'a longer piece of text ', '\ud83d']
const ATTRIBUTES = [{ bold: true }, { bold: null }, { font: { size: 12 } }, { i: 'x' }]
const VALUES = [1, -7, 0.5, 2 ** 40, true, false, null, 'text', [1, [2]], { k: { n: null } }]
const LONGEST_SPAN = 12

// mulberry32: the same numbers for the same seed, everywhere.
const randomNumbers = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}

const editors = (random) => {
  const below = (limit) => Math.floor(random() * limit)
  const pick = (list) => list[below(list.length)]
  const oneOf = (edits) => (target) => pick(edits)(target)
  const embedded = () => pick([() => new Y.Text('inner'), () => new Y.Map([['k', 1]]), () => Y.Array.from([1, 'two'])])()

  // Never between the halves of a surrogate pair: no editor puts a cursor there.
  const place = (text) => {
    const units = text.toDelta().map(({ insert }) => (typeof insert === 'string' ? insert : '\0')).join('')
    const at = below(units.length + 1)
    return /[\udc00-\udfff]/.test(units.charAt(at)) ? at - 1 : at
  }
  const span = (text) => {
    const [from, to] = [place(text), place(text)].sort((a, b) => a - b)
    return [from, to - from <= LONGEST_SPAN ? to - from : 0]
  }

  const insert = (text) => text.insert(place(text), pick(WORDS))
  const remove = (text) => text.delete(...span(text))
  const format = (text) => text.format(...span(text), pick(ATTRIBUTES))
  const insertBold = (text) => text.insert(place(text), 'bold', { bold: true })
  const embed = (text) => text.insertEmbed(place(text), embedded())
  const attribute = (text) => text.setAttribute('lang', pick(VALUES))
  return {
    below,
    pick,
    plain: oneOf([insert, insert, remove]),
    formatted: oneOf([insert, insert, insert, remove, remove, format, insertBold]),
    text: oneOf([insert, insert, insert, remove, remove, format, insertBold, embed, attribute]),
    map: oneOf([
      (map) => map.set(pick(['a', 'b', 'c']), pick(VALUES)),
      (map) => map.set(pick(['a', 't']), embedded()),
      (map) => map.delete('a')
    ]),
    array: oneOf([
      (array) => array.insert(below(array.length + 1), [pick(VALUES), pick(VALUES)]),
      (array) => array.push([embedded()]),
      (array) => array.length > 0 && array.delete(below(array.length), 1)
    ])
  }
}

const anything = (document, random, editor) => {
  const kind = random()
  if (kind < 0.7) return editor.text(document.getText('content'))
  if (kind < 0.8) return editor.map(document.getMap('map'))
  if (kind < 0.9) return editor.array(document.getArray('array'))
  const inner = [...document.getMap('map').values()].find((value) => value instanceof Y.Text)
  return inner && editor.text(inner)
}

export const session = ({ seed, steps, level }) => {
  const random = randomNumbers(seed)
  const editor = editors(random)
  const diligence = random()
  const sent = []

  const join = () => {
    const document = new Y.Doc()
    document.clientID = editor.below(2 ** 32)
    const undo = new Y.UndoManager([document.getText('content'), document.getMap('map')], { captureTimeout: 0 })
    document.on('update', (update, origin) => origin !== 'heard' && sent.push({ update, document }))
    return { document, undo, heard: 0 }
  }
  const catchUp = (person) => {
    while (person.heard < sent.length) {
      const { update, document } = sent[person.heard++]
      if (document !== person.document) Y.applyUpdate(person.document, update, 'heard')
    }
  }
  const edit = ({ document, undo }) => {
    if (random() < 0.05) return undo.undo()
    if (random() < 0.05) return undo.redo()
    return document.transact(() => {
      if (level === 'everything') anything(document, random, editor)
      else editor[level === 'text' ? 'plain' : 'formatted'](document.getText('content'))
    })
  }

  const people = Array.from({ length: 2 + editor.below(5) }, join)
  for (let step = 0; step < steps; step++) {
    edit(editor.pick(people))
    if (random() < diligence) catchUp(editor.pick(people))
  }
  // Formatting that has become superfluous is removed by whoever sees it, which is an edit again.
  while (people.some(({ heard }) => heard < sent.length)) people.forEach(catchUp)

  const updates = sent.map(({ update }) => update)
  updates.push(Y.encodeStateAsUpdate(people[0].document), Y.mergeUpdates(updates))
  return { updates, text: people[0].document.getText('content').toString() }
}
