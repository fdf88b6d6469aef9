/** A problem or a warning at a field of the configuration, before its position in the file is known. */
export type Path = readonly PropertyKey[];

export interface Diagnostic {
  readonly path: Path;
  /** What the field may hold. */
  readonly allowed: string;
  /** Absent: the value at `path`, described when the diagnostic is located. */
  readonly found?: string;
  /** Points at the key instead of its value. */
  readonly atKey?: boolean;
}

/** Collects the diagnostics of one part of the configuration. */
export interface Diagnostics {
  /** Each refuses the configuration. */
  readonly problems: Diagnostic[];
  /** None refuses the configuration. */
  readonly warnings: Diagnostic[];
}

export function noDiagnostics(): Diagnostics {
  return { problems: [], warnings: [] };
}
