/** The real gateway in a separate process, with a configuration in a temporary folder. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { stringify } from 'yaml';
import { program } from './program.ts';

/** One JSON line of stdout. */
// biome-ignore lint/suspicious/noExplicitAny: records are looked into field by field, and a test fails on what is not there
export type AuditRecord = Record<string, any>;

export interface GatewayOptions {
  /**
   * As in a configuration file. Defaults: a loopback address and port 0 for `listen` and `admin`, `patience` for `limits`
   * and `timeouts`, and one relay thread, so that a test means the same on every machine; `relays: undefined` leaves it out.
   */
  readonly config: {
    readonly listen?: object;
    readonly admin?: object;
    readonly limits?: unknown;
    readonly timeouts?: unknown;
  } & Record<string, unknown>;
  /** File name → content, written beside the configuration, mode 0600. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptor limit of the process; default: that of the tests. */
  readonly descriptors?: number;
  /** Largest file that the process may write, in blocks of 512 bytes: a larger one fails with EFBIG, as on a full disk. */
  readonly fileBlocks?: number;
  /** A file, a device or a named pipe for standard error; default: it is kept in `stderr`. */
  readonly stderr?: string;
  /** Path of the program; default: the one that tests start. */
  readonly program?: string;
}

export interface Ready {
  readonly listen: { readonly address: string; readonly port: number };
  readonly admin: { readonly address: string; readonly port: number; readonly page: string };
  readonly relays: number;
}

export class Gateway implements AsyncDisposable {
  readonly folder: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #records: AuditRecord[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #exited: Promise<{ code: number | null }>;
  #exit: { code: number | null } | undefined;
  #stdout = '';
  #stderr = '';
  #ready: Ready | undefined;

  constructor(process: ChildProcessWithoutNullStreams, folder: string) {
    this.#process = process;
    this.folder = folder;
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#notify();
    });
    this.#lines = createInterface({ input: process.stdout }).on('line', (line) => {
      this.#stdout += `${line}\n`;
      // A killed process may leave half a line.
      if (!line.endsWith('}')) return;
      const record = JSON.parse(line) as AuditRecord;
      if (record.type === 'ready') this.#ready = record as unknown as Ready;
      else this.#records.push(record);
      this.#notify();
    });
    this.#exited = once(process, 'close').then(([code]) => {
      this.#exit = { code };
      this.#notify();
      return this.#exit;
    });
  }

  get port(): number {
    return this.ready.listen.port;
  }

  get ready(): Ready {
    if (this.#ready === undefined) throw new Error('the gateway is not ready yet');
    return this.#ready;
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Every record so far. */
  records(): readonly AuditRecord[] {
    return this.#records;
  }

  /** The first matching record, past or future; rejects when the process ends without one. */
  audit(fits: (record: AuditRecord) => boolean): Promise<AuditRecord> {
    return this.#until(() => this.#records.find(fits));
  }

  /** The first matching record of those after the first `from`, by default of future ones. */
  next(fits: (record: AuditRecord) => boolean, after = this.#records.length): Promise<AuditRecord> {
    return this.#until(() => this.#records.slice(after).find(fits));
  }

  /** Every line of the log so far. */
  log(): AuditRecord[] {
    const lines = this.#stderr.split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }

  /** The first matching line of the log, past or future; rejects when the process ends without one. */
  logged(fits: (line: AuditRecord) => boolean): Promise<AuditRecord> {
    return this.#until(() => this.log().find(fits));
  }

  /** Replaces the configuration file, sends SIGHUP, and resolves with the record of the reload. */
  async reload(config?: GatewayOptions['config']): Promise<AuditRecord> {
    if (config !== undefined) await this.configure(config);
    const reloaded = this.next(({ type }) => type === 'config');
    this.signal('SIGHUP');
    return reloaded;
  }

  /** Replaces the configuration file atomically. */
  configure(config: GatewayOptions['config']): Promise<void> {
    return this.write('gateway.yaml', stringify(completed(config)));
  }

  /** Replaces a file beside the configuration atomically. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.folder, name);
    await writeFile(`${file}.new`, content, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  /** Resolves with the ready line; rejects with stderr when the process ends first. */
  whenReady(): Promise<Ready> {
    return this.#until(() => this.#ready);
  }

  /** The response of the admin port. */
  async admin(path: string): Promise<{ status: number; body: string }> {
    const { address, port } = this.ready.admin;
    const response = await fetch(`http://${address}:${port}${path}`);
    return { status: response.status, body: await response.text() };
  }

  async metrics(): Promise<string> {
    return (await this.admin('/metrics')).body;
  }

  /** Sends the signal without waiting for anything. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Simulates the death of a log shipper: writes to stdout fail with EPIPE. */
  closeStdout(): void {
    this.#process.stdout.destroy();
  }

  /** As of a log shipper that hangs: stdout stays open, and nothing is read from it until `readStdout`. */
  holdStdout(): void {
    this.#lines.pause();
  }

  readStdout(): void {
    this.#lines.resume();
  }

  exited(): Promise<{ code: number | null }> {
    return this.#exited;
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null }> {
    this.signal(signal);
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit === undefined) await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#exit !== undefined) {
        throw new Error(`the gateway ended with ${this.#exit.code}:\n${this.#stderr}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #notify(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** Resolves when the gateway is ready; rejects with its stderr when it ends before that. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = await spawnGateway(options);
  try {
    await gateway.whenReady();
    return gateway;
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * A busy machine must end nothing that a test is not about: an overloaded relay thread resets new connections, and each of these
 * times may pass while a process waits for a core. A test about one of them sets it.
 */
const patience = {
  limits: { delay: '60s' },
  timeouts: {
    ...{ handshake: '60s', head: '60s', bodyIdle: '60s', keepAlive: '30m' },
    ...{ connectFirst: '10s', connect: '20s' },
  },
};

function completed(config: GatewayOptions['config']): object {
  return {
    relays: 1,
    ...config,
    limits: { ...patience.limits, ...(config.limits as object) },
    timeouts: { ...patience.timeouts, ...(config.timeouts as object) },
    listen: { address: '127.0.0.1', port: 0, ...config.listen },
    admin: { address: '127.0.0.1', port: 0, ...config.admin },
  };
}

/** Starts without waiting, for starts that must fail. */
export async function spawnGateway(options: GatewayOptions): Promise<Gateway> {
  const { files = {}, env = {}, descriptors, fileBlocks, stderr } = options;
  const folder = await mkdtemp(join(tmpdir(), 'ehi-gateway-'));
  const file = join(folder, 'gateway.yaml');
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
  await writeFile(file, stringify(completed(options.config)));
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const command = [node, options.program ?? program, 'run', '--config', file];
  // Only a shell can set limits; it execs the gateway, so that pid and signals stay correct.
  if (descriptors !== undefined) command.unshift('sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`);
  if (fileBlocks !== undefined) command.unshift('sh', '-c', `ulimit -f ${fileBlocks}; exec "$0" "$@"`);
  if (stderr !== undefined) command.unshift('sh', '-c', `exec "$0" "$@" 2>>'${stderr}'`);
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  child.stdin.end();
  return new Gateway(child, folder);
}
