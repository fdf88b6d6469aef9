/** The processes of the slowloris soak: the attackers, and their own host beside the honest sender's. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cores, node, start, stop } from '../processes.ts';
import type { Attack, AttackersCount, AttackersOrder } from './attackers.ts';

type Setting = Pick<Attack, 'port' | 'ca' | 'leaf'>;

/** Runs only while the honest sender and its host leave the core idle, so that only the gateway delays them. */
const idle = ['chrt', '--idle', '0'];

export class Crowd implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #setting: Setting;

  private constructor(process: ChildProcess, setting: Setting) {
    this.#process = process;
    this.#setting = setting;
  }

  static async open({ port, ca, leaf: { chainPem, keyPem } }: Setting): Promise<Crowd> {
    const process = startOwn('./attackers.ts', idle);
    return new Crowd(process, { port, ca, leaf: { chainPem, keyPem } });
  }

  async attack({ form, attackers, pace }: Omit<Attack, keyof Setting>): Promise<void> {
    await this.#order({ attack: { ...this.#setting, form, attackers, pace } });
  }

  count(): Promise<AttackersCount> {
    return this.#order('count');
  }

  async leave(): Promise<void> {
    await this.#order({ attack: null });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return stop(this.#process);
  }

  async #order(order: AttackersOrder): Promise<AttackersCount> {
    const answered = once(this.#process, 'message');
    this.#process.send(order);
    const [count] = await answered;
    return count;
  }
}

/** `theirs`: the attackers'. */
export async function openHost(options: {
  readonly theirs: boolean;
}): Promise<AsyncDisposable & { readonly url: string }> {
  const process = options.theirs ? startOwn('./large-host.ts', idle) : startOwn('../host.ts');
  const [{ port }] = await once(process, 'message');
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => stop(process) };
}

function startOwn(file: string, before: readonly string[] = []): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const stdio: ['ignore', 'inherit', 'inherit', 'ipc'] = ['ignore', 'inherit', 'inherit', 'ipc'];
  return start({ command: [...before, node, path], core: cores.load, stdio });
}
