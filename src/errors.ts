/** The errors of the gateway: a fault is thrown, a denial is a value (identity/verdict.ts). */

/** Which side of the gateway a fault comes from. */
export type Side = 'downstream' | 'upstream' | 'internal';

/** Base of every error that the gateway throws on purpose. */
export class GatewayError extends Error {
  readonly code: string;
  readonly side: Side;

  constructor(options: { code: string; side: Side; message: string; cause?: unknown }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.side = options.side;
  }
}

/** One thing that is wrong, or doubtful, in a configuration. */
export interface ConfigProblem {
  readonly file: string;
  /** 1-based; 1 where the problem has no place of its own (a missing key points at its parent). */
  readonly line: number;
  readonly column: number;
  /** Dotted path of the field, as in `clients.allowlist[0]`; empty for the document. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
}

/** Every problem of a configuration at once; `run` and `check` exit with 78. */
export class ConfigError extends GatewayError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super({ code: 'CONFIG', side: 'internal', message: problems.map(describeProblem).join('\n') });
    this.problems = problems;
  }
}

/** One line: `file:line:column: path: found …; allowed …`. */
export function describeProblem(problem: ConfigProblem): string {
  const { file, line, column, path, found, allowed } = problem;
  return `${file}:${line}:${column}: ${path === '' ? '(document)' : path}: found ${found}; allowed ${allowed}`;
}

/** Exit codes of the command line, after sysexits.h; `unwell`, of `health`, is what a container runtime expects. */
export const exitCodes = {
  drained: 0,
  unwell: 1,
  usage: 64,
  addressInUse: 69,
  fault: 70,
  configuration: 78,
} as const;
