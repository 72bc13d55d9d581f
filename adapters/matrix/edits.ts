import { ChanopError } from '../../core/error.ts'
import type { Draft, MessageId } from '../../core/event.ts'
import { type Json, string } from './native.ts'
import { type Frame, markFor, type Part, partsOf, textsOf } from './outbound.ts'

/** What an edit does to one of the messages a delivery became. */
export type Edited =
  | { readonly do: 'keep'; readonly id: MessageId }
  | { readonly do: 'remove'; readonly id: MessageId }
  | { readonly do: 'replace'; readonly id: MessageId; readonly content: Json }
  | { readonly do: 'say'; readonly part: Part }

/** An edit as the specification has it ("Event replacements"): who is meant anew is nobody, whatever the new text says. */
function replacement(content: Json, id: MessageId, mark: Json): Json {
  const [body, html] = [string(content['body']) ?? '', string(content['formatted_body'])]
  return {
    ...content,
    body: `* ${body}`,
    ...(html === undefined ? {} : { formatted_body: `* ${html}` }),
    'm.mentions': {},
    'm.new_content': content,
    'm.relates_to': { rel_type: 'm.replace', event_id: id },
    ...mark,
  }
}

/**
 * A changed text over the messages there are: longer ones go on in new messages, what is left over is removed, files stay.
 * In the order of the ids that there are then.
 */
export function editsOf(
  draft: Draft,
  target: readonly MessageId[],
  files: readonly MessageId[],
  frame: Frame,
): Edited[] {
  const texts = target.filter(id => !files.includes(id))
  const contents = textsOf(draft)
  const parts = contents.length
  if (parts === 0 && files.length === 0)
    throw new ChanopError('send-refused', 'there is nothing in it that could be shown')
  const out: Edited[] = contents.map((content, part) => {
    const id = texts[part]
    if (id !== undefined)
      return { do: 'replace', id, content: replacement(content, id, markFor(draft, frame, { part, parts })) }
    return { do: 'say', part: partsOf(draft, frame)[part] as Part }
  })
  const left = texts.slice(parts).map((id): Edited => ({ do: 'remove', id }))
  return [...out, ...left, ...files.map((id): Edited => ({ do: 'keep', id }))]
}
