import { join } from 'node:path'
import type { Context } from '../../config/context.ts'
import { openDesk } from '../../core/command/visit/desk.ts'
import { completionAt } from '../../core/ledger/oracle/completions.ts'
import { turnsMergedInto } from '../../core/ledger/oracle/turns.ts'
import { MediaStore, mediaLimits } from '../../core/media/store.ts'
import { locations } from '../../core/paths.ts'
import { sleep } from '../../core/retry.ts'
import { requestFor } from './api/prompt.ts'
import { Completions } from './api/runner.ts'
import { ProgramVoice } from './api/voice.ts'
import { oracleCommands } from './commands/all.ts'
import type { OracleServices } from './commands/services.ts'
import { Mind } from './context/mind.ts'
import { promptFor } from './context/prompt.ts'
import { Summaries } from './context/summaries.ts'
import type { Models } from './models/contract.ts'
import { ConfiguredModels } from './models/models.ts'
import { Ear } from './talk/ear.ts'
import { type AnswerTools, answer } from './turns/answer.ts'
import { mergeWaiting } from './turns/merge.ts'
import type { TurnQueue } from './turns/queue.ts'
import { Runner } from './turns/runner.ts'

const drainMs = 3000

export interface OracleOptions {
  readonly models?: Models
  /** The folder of IDENTITY.md, SOUL.md and USER.md. */
  readonly mindFolder?: string
  /** Wakes oracles on other hosts for turns that wait here, and this one for theirs. */
  readonly wakes?: (runner: Runner) => TurnQueue
}

const mindFolder = (): string => join(locations().config, '..', 'mind')

/** What answers, and what the commands need of it. Nothing is heard or taken up yet. */
export async function openOracle(
  context: Context,
  options: OracleOptions = {},
): Promise<{ readonly services: OracleServices; readonly runner: Runner; readonly queue: TurnQueue | undefined }> {
  const { ledger, log, signal, settings, bus, name, dataDir } = context
  const configured = await ConfiguredModels.open({ ...context, bot: name, config: () => settings.current })
  const models = options.models ?? configured
  const mind = new Mind(options.mindFolder ?? mindFolder())
  const store = new MediaStore(join(dataDir, 'media'), ledger, () => mediaLimits(settings.current.media))
  const prompts = { ledger, models, mind, store, config: () => settings.current }
  const tools: AnswerTools = {
    ledger,
    log,
    models,
    rooms: () => context.rooms,
    manner: () => settings.current.commands,
    linkHosts: () => settings.current.guards.linkHosts,
    speaker: (tx, stage) => {
      const completion = stage.asked.event.standalone ? completionAt(tx, stage.asked.event.key) : null
      return completion && new ProgramVoice(ledger, stage, completion)
    },
    request: async (turn, asked) => {
      const brought = asked.event.standalone ? await ledger.read(tx => completionAt(tx, asked.event.key)) : null
      if (brought)
        return requestFor({ models, config: () => settings.current, mind: await mind.text() }, brought, turn.id)
      const also = await ledger.read(tx => turnsMergedInto(tx, turn.id))
      return (await promptFor(prompts, [turn, ...also], asked)).request
    },
    typing: ({ place }, active) => bus.signal('typing', { place, as: name, active }),
  }
  const summaries = new Summaries(prompts, log, signal)
  const runner = new Runner({
    ledger,
    log,
    signal,
    together: () => settings.current.oracle.together,
    taken: (tx, turn) => mergeWaiting(tx, turn, settings.current.oracle.followUps),
    answer: async (turn, holder, end) => {
      await answer(tools, turn, holder, end)
      if (settings.current.oracle.summaries) summaries.make(turn)
    },
  })
  const ear = new Ear({ context, models, runner, waits: id => queue?.offer(id) })
  const queue = options.wakes?.(runner)
  return { services: { context, configured, models, prompts, ear }, runner, queue }
}

/** Answers people where they are, with a model. */
export async function runOracle(context: Context, options: OracleOptions = {}): Promise<void> {
  const { ledger, bus } = context
  const { services, runner, queue } = await openOracle(context, options)
  await runner.start()
  const { log, signal, settings } = context
  const { models, configured } = services
  const completions = new Completions({ ledger, log, signal, models, configured, config: () => settings.current })
  await completions.start()
  const off = [
    bus.onRing(() => {
      runner.look()
      completions.look()
    }),
    ledger.onCommit(() => runner.busy > 0 && runner.look()),
    ledger.onCommit(() => completions.look()),
  ]
  const { served } = await openDesk(context, { commands: oracleCommands, services })
  context.ready()
  await Promise.all([services.ear.listen(), served])
  for (const stop of off) stop()
  // A Redis that hangs holds nothing up: its jobs are only knocks.
  await Promise.all([runner.close(drainMs), Promise.race([queue?.close(), sleep(drainMs)])])
}
