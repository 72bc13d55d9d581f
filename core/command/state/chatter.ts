/** Words that stand behind a prefix in ordinary talk, or are commands of other bots: nobody means ours by them. */
const words = `
  afk alert anyone archive article attention aware away ban bans beer boom boost brb bump bye cake care caution cheer
  cheers clap coffee cool could credit credits dance danger deal dice done dont down duck epic error ever every
  everyone exactly excellent fact facts fail fine finally fire first fish fixed flip food fortune free ftw game games gif
  give going good goodbye gone google great greet greetings guys haha hail happy hate hear hello helo here hey high hola hooray
  hours howdy huge hugs hurry image important info insult invite join joke jokes jump karma kick later level levels like
  link links listen lmao lol look lost love lunch lurk lyrics magic meme memes might miss moin money more morning mute
  name never news nice night nope note noted notice nothing okay oops ouch over pause party peace perfect ping pizza play playlist
  please poll pong power praise prefix profile prompt queue quiz quote quotes radio rank read ready real really refresh
  remind remindme reminder right road roll rolls roles rule rules same save score seriously shame ship shock shop shout
  shrug shut sigh skip slap slots slow snooze song sorry spam speak subscribe sudo super sure tell test testing
  thank thanks that then there these they think this those time timer today told tomorrow true unban unmute
  uptime urgent vote wait wake want warn warning watch weather welcome what when where while whoa whoops whole wiki
  will winner with word work works world would wrong yahoo yeah yell yesterday yay yikes yolo
`
const common: ReadonlySet<string> = new Set(words.split(/\s+/).filter(Boolean))

/** Whether a word is more likely talk than a mistyped command. */
export const isChatter = (word: string): boolean => word.length < 4 || common.has(word.toLowerCase())
