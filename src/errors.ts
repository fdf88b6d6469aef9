/** The errors of the gateway and its exit codes. A fault is thrown; a denial is a value (identity/verdict.ts). */
import { printable } from './foreign-text.ts';

/** Failures of a fetch (fetch/http-fetch.ts). */
export type FetchCode =
  | 'URL_REFUSED'
  | 'FETCH_FAILED'
  | 'FETCH_TIMEOUT'
  | 'FETCH_STATUS'
  | 'FETCH_REDIRECT'
  | 'FETCH_ENCODING'
  | 'FETCH_TOO_LARGE';

/** Every code of a GatewayError. The log of `run` shows it; a new error needs its member here. */
export type ErrorCode =
  | 'CONFIG'
  | 'RANGE'
  | 'ADDRESS_IN_USE'
  | 'LISTEN'
  | 'ADMIN_LISTEN'
  | 'AUDIT_DESTINATION'
  | 'CERTIFICATE_UNREADABLE'
  | 'TRUST'
  | 'TRUST_CACHE_UNREADABLE'
  | 'CRL_FILE'
  | 'CRL_THREAD'
  | 'CRL_CACHE_UNREADABLE'
  | 'OCSP_CACHE_UNREADABLE'
  | 'KEYS_CACHE_UNREADABLE'
  | 'OCSP_FETCH_TYPE'
  /** The component was closed while it worked. */
  | 'CLOSED'
  /** An error that is no GatewayError, as another thread reports it. */
  | 'FAULT'
  | 'USAGE'
  | 'UNREACHABLE'
  | `${'TRUST' | 'CRL' | 'OCSP' | 'KEYS'}_${FetchCode}`;

/** Base class of every error that the gateway throws on purpose. */
export class GatewayError extends Error {
  readonly code: ErrorCode;

  constructor(options: { code: ErrorCode; message: string; cause?: unknown }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
  }
}

/** A command that cannot be carried out as given: exit code 64. The message names the option or the file, and what is allowed. */
export class UsageError extends GatewayError {
  constructor(message: string, cause?: unknown) {
    super({ code: 'USAGE', message, cause });
  }
}

/** The endpoint of a command cannot be reached: exit code 69. */
export class UnreachableError extends GatewayError {
  constructor(message: string, cause?: unknown) {
    super({ code: 'UNREACHABLE', message, cause });
  }
}

/** An error or a warning about a configuration. */
export interface ConfigProblem {
  readonly file: string;
  /** 1-based; 1 if the problem has no position. A missing key has the position of its parent. */
  readonly line: number;
  readonly column: number;
  /** Path of the field, such as `clients.allowlist[0]`; empty for the document. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
}

/** All problems of a configuration; `run` and `check` exit with 78. */
export class ConfigError extends GatewayError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super({ code: 'CONFIG', message: problems.map(describeProblem).join('\n') });
    this.problems = problems;
  }
}

/** One line: `file:line:column: path: found …; allowed …`. */
export function describeProblem(problem: ConfigProblem): string {
  const { file, line, column, path, found, allowed } = problem;
  const where = `${file}:${line}:${column}: ${path === '' ? '(document)' : path}`;
  return printable(`${where}: found ${found}; allowed ${allowed}`);
}

/**
 * Exit codes of the command line, after sysexits.h. `unhealthy` is for `health` (container runtimes expect 1), `failed` for
 * a check that failed or a message that was lost.
 */
export const exitCodes = {
  drained: 0,
  unhealthy: 1,
  failed: 1,
  usage: 64,
  addressInUse: 69,
  unreachable: 69,
  fault: 70,
  configuration: 78,
} as const;
