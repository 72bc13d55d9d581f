import { readFile } from 'node:fs/promises'
import type { AdapterContext } from '../../../core/adapter.ts'
import { ChanopError } from '../../../core/error.ts'
import type { IrcConfig } from '../config.ts'
import { type Control, identifyCommand, readControl } from '../control.ts'
import type { Sasl } from './login.ts'
import type { SessionOptions } from './session.ts'
import type { Endpoint } from './wire.ts'

type External = Extract<IrcConfig, { managed: false }>

/** Behind the nick while the control session has not yet given the kept one (InspIRCd: `<badnick>` and SANICK). */
const boot = '-boot'

/** Where a connection goes and what it does once it is there. */
export interface Plan {
  readonly session: SessionOptions
  /** The nick it should have in the end. */
  readonly nick: string
  /** OPER with this after login. */
  readonly oper: { readonly name: string; readonly password: string } | null
  /** Said to NickServ once connected: this way in needs no login, but services protect the nick. */
  readonly identify: { readonly command: string; readonly account: string; readonly password: string } | null
  /** Another connection of ours must rename it: nobody may take the nick by himself. */
  readonly renamed: boolean
}

export interface Wish {
  /** The bot whose connection it is: `bridge` for the main one. */
  readonly bot: string
  readonly main: boolean
}

/** Other people's servers slow a busy client down, so that its PONG may come late: the library's patience there. */
const patient = { quietMs: 30_000, deadMs: 120_000 }

const realname = (bot: string): string => `${bot} of Chanop`

function managedPlan(control: Control, wish: Wish, context: AdapterContext): Plan {
  const { bot, main } = wish
  const common = { realname: realname(bot), flood: null, deaf: !main, log: context.log }
  const oper = main ? control.oper : null
  if (control.server === 'inspircd' && control.socket !== undefined) {
    const endpoint: Endpoint = { ...control.plain, path: control.socket, tls: false }
    const password = control.accounts[bot]
    const identify = password === undefined ? null : { command: identifyCommand(control), account: bot, password }
    const session = { ...common, endpoint, nick: `${bot}${boot}`, sasl: null }
    return { session, nick: bot, oper, identify, renamed: true }
  }
  const password = control.accounts[bot]
  if (password === undefined) {
    throw new ChanopError('network-refused', `the IRC server has no account for ${bot}: run npm start again to make it`)
  }
  const sasl: Sasl = { mechanism: 'plain', account: bot, password }
  return {
    session: { ...common, endpoint: { ...control.plain, tls: false }, nick: bot, sasl },
    nick: bot,
    oper,
    identify: null,
    renamed: false,
  }
}

async function saslOf(config: External, context: AdapterContext): Promise<Sasl | null> {
  const { sasl } = config
  if (!sasl) return null
  if ('certificate' in sasl) return { mechanism: 'external', account: sasl.account ?? '' }
  return { mechanism: 'plain', account: sasl.account, password: await context.secret(sasl.password) }
}

async function externalEndpoint(config: External): Promise<Endpoint> {
  const { host, port, tls, fingerprint, sasl } = config
  const endpoint: Endpoint = { host, port, tls, ...(fingerprint === undefined ? {} : { fingerprint }) }
  if (!sasl || !('certificate' in sasl)) return endpoint
  const [cert, key] = await Promise.all([readFile(sasl.certificate, 'utf8'), readFile(sasl.key, 'utf8')])
  return { ...endpoint, certificate: { cert, key } }
}

async function externalPlan(config: External, wish: Wish, context: AdapterContext): Promise<Plan> {
  const nick = wish.main ? config.nick : wish.bot
  const [endpoint, sasl] = await Promise.all([externalEndpoint(config), saslOf(config, context)])
  const serverPassword =
    config.serverPassword === undefined ? {} : { serverPassword: await context.secret(config.serverPassword) }
  const { flood } = config
  const timing = patient
  const session = {
    endpoint,
    nick,
    realname: realname(wish.bot),
    sasl,
    flood,
    timing,
    deaf: !wish.main,
    log: context.log,
    ...serverPassword,
  }
  return { session, nick, oper: null, identify: null, renamed: false }
}

/** How to connect one bot, read anew before each attempt. Rejects with what to do about it. */
export async function planFor(config: IrcConfig, wish: Wish, context: AdapterContext): Promise<Plan> {
  if (!config.managed) return externalPlan(config, wish, context)
  let control: Control
  try {
    control = await readControl(context.dataDir)
  } catch (error) {
    throw new ChanopError('network-down', 'the managed IRC server is not set up yet: run npm start', { cause: error })
  }
  return managedPlan(control, wish, context)
}
