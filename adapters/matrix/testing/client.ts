/** Somebody on a homeserver, by plain requests: what tests say and see with, apart from the adapter's own code. */

export interface Account {
  readonly user_id: string
  readonly access_token: string
  readonly device_id: string
  readonly password: string
}

/** An event as /messages and /sync show it. */
export interface Shown {
  readonly type: string
  readonly event_id: string
  readonly sender: string
  readonly origin_server_ts: number
  readonly state_key?: string
  /** Which event a redaction takes back. */
  readonly redacts?: string
  readonly content: Readonly<Record<string, unknown>>
  readonly unsigned?: Readonly<Record<string, unknown>>
}

type Json = Readonly<Record<string, unknown>>

export class Refused extends Error {
  readonly status: number
  readonly body: Json

  constructor(status: number, body: Json) {
    super(`${status} ${JSON.stringify(body)}`)
    this.status = status
    this.body = body
  }
}

/** What was read of a room: the server is asked for what came after `next` alone. */
interface Timeline {
  readonly events: Shown[]
  next: string | undefined
}

export class Client {
  readonly id: string
  readonly account: Account
  readonly #url: () => string
  readonly #timelines = new Map<string, Timeline>()
  readonly #files = new Map<string, Uint8Array>()
  #sent = 0

  constructor(url: () => string, account: Account) {
    this.#url = url
    this.account = account
    this.id = account.user_id
  }

  async ask<T = Json>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#url()}/_matrix/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.account.access_token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const said = (await answer.json()) as Json
    if (!answer.ok) throw new Refused(answer.status, said)
    return said as T
  }

  async room(options: Json = {}): Promise<string> {
    const made = await this.ask<{ room_id: string }>('POST', 'client/v3/createRoom', {
      preset: 'private_chat',
      ...options,
    })
    return made.room_id
  }

  async join(room: string): Promise<void> {
    await this.ask('POST', `client/v3/join/${encodeURIComponent(room)}`, {})
  }

  async invite(room: string, user: string): Promise<void> {
    await this.ask('POST', `client/v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: user })
  }

  /** Sends one event and says its id. */
  async send(room: string, content: Json, type = 'm.room.message'): Promise<string> {
    const path = `client/v3/rooms/${encodeURIComponent(room)}/send/${type}/t${this.#sent++}`
    return (await this.ask<{ event_id: string }>('PUT', path, content)).event_id
  }

  say(room: string, body: string, more: Json = {}): Promise<string> {
    return this.send(room, { msgtype: 'm.text', body, ...more })
  }

  async state(room: string, type: string, content: Json, key = ''): Promise<void> {
    await this.ask(
      'PUT',
      `client/v3/rooms/${encodeURIComponent(room)}/state/${type}/${encodeURIComponent(key)}`,
      content,
    )
  }

  async redact(room: string, event: string): Promise<string> {
    const path = `client/v3/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(event)}/t${this.#sent++}`
    return (await this.ask<{ event_id: string }>('PUT', path, {})).event_id
  }

  async upload(name: string, type: string, bytes: Uint8Array): Promise<string> {
    const answer = await fetch(`${this.#url()}/_matrix/media/v3/upload?filename=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.account.access_token}`, 'content-type': type },
      body: bytes.slice().buffer,
    })
    return ((await answer.json()) as { content_uri: string }).content_uri
  }

  /** What has this address never changes. */
  async download(uri: string): Promise<Uint8Array> {
    const known = this.#files.get(uri)
    if (known) return known
    const answer = await fetch(`${this.#url()}/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`, {
      headers: { authorization: `Bearer ${this.account.access_token}` },
    })
    if (!answer.ok) throw new Refused(answer.status, {})
    const bytes = new Uint8Array(await answer.arrayBuffer())
    this.#files.set(uri, bytes)
    return bytes
  }

  /** Everything of a room as it is now, oldest first. */
  async timeline(room: string): Promise<readonly Shown[]> {
    const known = this.#timelines.get(room) ?? { events: [], next: undefined }
    this.#timelines.set(room, known)
    for (;;) {
      const from = known.next
      const query = new URLSearchParams({ dir: 'f', limit: '1000', ...(from === undefined ? {} : { from }) })
      const path = `client/v3/rooms/${encodeURIComponent(room)}`
      const page = await this.ask<{ chunk: Shown[]; end?: string }>('GET', `${path}/messages?${query.toString()}`)
      // Somebody else read on meanwhile.
      if (known.next !== from) continue
      known.events.push(...page.chunk)
      if (page.end !== undefined) known.next = page.end
      for (const { type, redacts = '' } of page.chunk) {
        const at = known.events.findIndex(({ event_id: id }) => type === 'm.room.redaction' && id === redacts)
        if (at !== -1) known.events[at] = await this.ask<Shown>('GET', `${path}/event/${encodeURIComponent(redacts)}`)
      }
      if (page.end === undefined || page.chunk.length === 0) return known.events
    }
  }

  async members(room: string): Promise<string[]> {
    const path = `client/v3/rooms/${encodeURIComponent(room)}/joined_members`
    return Object.keys((await this.ask<{ joined: Json }>('GET', path)).joined)
  }
}
