/** What we use of `irc-framework`, which ships no types of its own. */
declare module 'irc-framework' {
  export interface FrameworkMessage {
    readonly command: string
    readonly params: string[]
    readonly tags: Record<string, string>
    readonly prefix: string
  }
  export interface FrameworkHandler {
    addHandler(command: string, handler: (message: FrameworkMessage) => void): void
  }
  export interface FrameworkTransport {
    on(event: string, listener: (...values: never[]) => void): unknown
    removeAllListeners(): unknown
    connect(): void
    close(force: boolean): void
    disposeSocket(): void
    setEncoding(encoding: string): boolean
    writeLine(line: string, done?: () => void): void
  }
  export interface FrameworkOptions {
    nick: string
    username: string
    gecos: string
    password?: string
    account?: object
    version: string
    auto_reconnect: boolean
    ping_interval: number
    ping_timeout: number
    transport: new (options: object) => FrameworkTransport
  }
  export class Client {
    readonly connected: boolean
    readonly command_handler: FrameworkHandler
    readonly connection: { end(data: string | null, hadError?: boolean): void; write(line: string): void }
    readonly network: {
      server: string
      ircd: string
      readonly options: Record<string, unknown>
      isChannelName(name: string): boolean
    }
    constructor(options?: object)
    connect(options: FrameworkOptions): void
    on(event: string, listener: (event: never) => void): this
    removeAllListeners(): this
    caseLower(value: string): string
  }
  const framework: { Client: typeof Client }
  export default framework
}
