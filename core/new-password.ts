import { randomBytes } from 'node:crypto'

/**
 * 192 random bits: more than anybody can try, and 32 letters keep a login in one short line. In letters that every account
 * service takes. Never a `-` first: a client's command line would take it for an option (irssi's `/network add -sasl_password`).
 */
export const newPassword = (): string => randomBytes(24).toString('base64url').replace(/^-/, '_')
