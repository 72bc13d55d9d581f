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

export class Client {
  readonly id: string
  readonly account: Account
  readonly #url: () => string
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

  async download(uri: string): Promise<Uint8Array> {
    const answer = await fetch(`${this.#url()}/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`, {
      headers: { authorization: `Bearer ${this.account.access_token}` },
    })
    if (!answer.ok) throw new Refused(answer.status, {})
    return new Uint8Array(await answer.arrayBuffer())
  }

  /** Everything of a room, oldest first. */
  async timeline(room: string): Promise<Shown[]> {
    const all: Shown[] = []
    for (let from: string | undefined, more = true; more; ) {
      const query = new URLSearchParams({ dir: 'f', limit: '1000', ...(from === undefined ? {} : { from }) })
      const page = await this.ask<{ chunk: Shown[]; end?: string }>(
        'GET',
        `client/v3/rooms/${encodeURIComponent(room)}/messages?${query.toString()}`,
      )
      all.push(...page.chunk)
      from = page.end
      more = from !== undefined && page.chunk.length > 0
    }
    return all
  }

  async members(room: string): Promise<string[]> {
    const path = `client/v3/rooms/${encodeURIComponent(room)}/joined_members`
    return Object.keys((await this.ask<{ joined: Json }>('GET', path)).joined)
  }
}
