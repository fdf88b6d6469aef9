/** Reloads the configuration when one of its files changes or on request; each change is accepted or refused as a whole. */
import { compareConfigs } from '../config/changes.ts';
import type { LoadedConfig } from '../config/load.ts';
import { openWatch, type Watch } from '../config/watch.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { TrustError } from '../trust/configured-anchors.ts';
import type { Reporting } from './event-reports.ts';
import { diagnosticOf, preflight } from './preflight.ts';
import type { Sources } from './sources.ts';

interface ReloadsOptions {
  /** Path of the configuration file. */
  readonly file: string;
  /** The configuration of the start, whose files are watched. */
  readonly loaded: LoadedConfig;
  readonly reporting: Reporting;
  /** A change was accepted or refused. */
  readonly onDone: (successful: boolean) => void;
}

export class Reloads implements AsyncDisposable {
  readonly #options: ReloadsOptions;
  readonly #watch: Watch;
  /** Resolves in `begin`; changes before that wait for it. null: closed. */
  readonly #sources = Promise.withResolvers<Sources | null>();
  /** Reloads run one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#watch = openWatch({ files: options.loaded.files, onChange: () => this.request() });
  }

  begin(sources: Sources): void {
    this.#sources.resolve(sources);
  }

  /** Reads everything again, changed or not. Resolves when the change was accepted or refused; never rejects. */
  request(): Promise<void> {
    this.#last = this.#last.then(() => this.#reload());
    return this.#last;
  }

  /** Stops reloading; resolves when the reload in progress has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch.close();
    this.#sources.resolve(null);
    await this.#last;
  }

  async #reload(): Promise<void> {
    const sources = await this.#sources.promise;
    if (sources === null) return;
    const { file, reporting, onDone } = this.#options;
    let loaded: LoadedConfig | null = null;
    try {
      const examination = await preflight(file);
      this.#watch.update(examination.files);
      ({ loaded } = examination);
      if (loaded === null) throw new ConfigError(examination.problems);
      const change = compareConfigs(sources.loaded, loaded);
      await sources.update(change.effective);
      onDone(true);
      reporting.warnings(examination.warnings);
      reporting.reloaded(change, sources.generation);
    } catch (error) {
      onDone(false);
      const problems = problemsOf(error, { file, loaded });
      reporting.refused(problems);
    }
  }
}

/** Every error becomes a problem of the change: a change that fails must not end the running gateway. */
function problemsOf(
  error: unknown,
  { file, loaded }: { readonly file: string; readonly loaded: LoadedConfig | null },
): readonly ConfigProblem[] {
  if (error instanceof ConfigError) return error.problems;
  if (error instanceof TrustError && loaded !== null)
    return error.problems.map((problem) => loaded.locate(diagnosticOf(problem)));
  const message = error instanceof Error ? error.message : String(error);
  const found = `an unexpected error while the change was applied: ${message}`;
  const allowed =
    'a change that the gateway can apply; the last configuration stays in use. Correct the change, or report this error';
  return [{ file, line: 1, column: 1, path: '', found, allowed }];
}
