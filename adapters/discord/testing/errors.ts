/** Error bodies of the API (docs.discord.com/developers/reference#error-messages, …/topics/opcodes-and-status-codes#json). */
export class ApiError extends Error {
  readonly status: number
  readonly body: object

  constructor(status: number, code: number, message: string, errors?: object) {
    super(message)
    this.status = status
    this.body = { message, code, ...(errors ? { errors } : {}) }
  }
}

const unknown = (what: string, code: number) => (): ApiError => new ApiError(404, code, `Unknown ${what}`)

export const unknownChannel = unknown('Channel', 10003)
export const unknownGuild = unknown('Guild', 10004)
export const unknownMember = unknown('Member', 10007)
export const unknownMessage = unknown('Message', 10008)
export const unknownUser = unknown('User', 10013)
export const unknownWebhook = unknown('Webhook', 10015)
export const unknownInteraction = unknown('interaction', 10062)
export const unknownEmoji = (): ApiError => new ApiError(400, 10014, 'Unknown Emoji')
export const missingAccess = (): ApiError => new ApiError(403, 50001, 'Missing Access')
export const missingPermissions = (): ApiError => new ApiError(403, 50013, 'Missing Permissions')
export const notAuthor = (): ApiError => new ApiError(403, 50005, 'Cannot edit a message authored by another user')
export const empty = (): ApiError => new ApiError(400, 50006, 'Cannot send an empty message')
export const tooLarge = (): ApiError => new ApiError(413, 40005, 'Request entity too large')
export const noDirect = (): ApiError => new ApiError(403, 50007, 'Cannot send messages to this user')
export const badToken = (): ApiError => new ApiError(401, 0, '401: Unauthorized')
export const badHookToken = (): ApiError => new ApiError(401, 50027, 'Invalid Webhook Token')
export const wrongType = (): ApiError => new ApiError(400, 50024, 'Cannot execute action on this channel type')
export const threadExists = (): ApiError =>
  new ApiError(400, 160004, 'A thread has already been created for this message')
export const acknowledged = (): ApiError => new ApiError(400, 40060, 'Interaction has already been acknowledged.')

export const invalid = (field: string, code: string, message: string): ApiError =>
  new ApiError(400, 50035, 'Invalid Form Body', { [field]: { _errors: [{ code, message }] } })
