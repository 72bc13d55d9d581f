import type { AdapterKind } from '../core/adapter.ts'
import { discord } from './discord/index.ts'
import { http } from './http/index.ts'
import { irc } from './irc/index.ts'
import { matrix } from './matrix/index.ts'
import { memory } from './memory/index.ts'
import { slack } from './slack/index.ts'
import { telegram } from './telegram/index.ts'

/** The one list of platforms: adding one is its folder, a line here and a page of docs. */
export const kinds: readonly AdapterKind[] = [irc, http, discord, slack, telegram, matrix, memory]
