/** What keys and tokens look like, whoever issues them. Linear in their input. */
const shapes: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /\b(?:gsk|xai|hf|r8|pplx|csk|fw|glpat|npm|dop_v1|shpat|sk_live|rk_live|sk_test|whsec|nvapi|lin_api|tskey|pypi|syt|tvly|jina|GOCSPX)[-_][A-Za-z0-9_-]{16,}/g,
  /\bm(?:at|ct|ar|pt)_[A-Za-z0-9]{30}_[A-Za-z0-9]{4,8}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\bya29\.[A-Za-z0-9_-]{20,}/g,
  /\b(?:gh[opsur]_|github_pat_)[A-Za-z0-9_]{20,}/g,
  /\bx(?:ox[abceoprs]|app)-[A-Za-z0-9-]{10,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,}/g,
  /\bhvs\.[A-Za-z0-9_-]{20,}/g,
  /\bchanop_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}/g,
  /\bhook_[A-Za-z0-9]{30,}/g,
  /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
  /\b\d{8,10}:[A-Za-z0-9_-]{34,36}\b/g,
  /\b[MNO][A-Za-z0-9_-]{22,26}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}/g,
  /\bservices\/T[A-Z0-9]{6,16}\/B[A-Z0-9]{6,16}\/[A-Za-z0-9]{16,}/g,
  /\bapi\/webhooks\/\d{5,25}\/[A-Za-z0-9_-]{30,}/g,
  // A login of ours, and the lines for clients that come with it.
  /\bpassword=[A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])/g,
  /-sasl_password[= ][A-Za-z0-9_-]{32}(?![A-Za-z0-9_-])/g,
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
]

/** A JSON Web Token, with what stands right before it: so each piece of a text is looked at once, whatever is in it. */
const webToken = /(?<![\w-])[\w-]{11,4000}(?:\.eyJ[\w-]{8,64000}){1,8}\.[\w-]{8,64000}/g

/** What stands in the place of a secret. */
export const hiddenKey = '[secret]'

/** No shape has fewer characters. */
const fewest = 15

/** Puts `[secret]` in the place of whatever looks like a key. */
export function maskKeys(text: string): string {
  if (text.length < fewest) return text
  let masked = text.replace(webToken, found => found.slice(0, found.search(/\beyJ/)) + hiddenKey)
  for (const shape of shapes) masked = masked.replace(shape, hiddenKey)
  return masked
}
