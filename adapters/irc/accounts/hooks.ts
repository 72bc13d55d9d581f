/** Who administers accounts tells this. */
export interface AccountHooks {
  /** After a password was changed. */
  readonly renewed?: (account: string, password: string) => Promise<unknown>
  /** `fault` is another one now. */
  readonly changed?: () => void
}
