/** A host that keeps its answers back until they are asked for. */
import type { Socket } from 'node:net';
import type { Client, ClientOptions } from './client.ts';
import { post } from './client.ts';
import { acknowledgement } from './host.ts';
import type { Stage } from './stage.ts';

export class HeldAnswers {
  readonly #stage: Stage;
  readonly #sockets: Socket[] = [];

  /** From now on no message gets an answer. */
  constructor(stage: Stage) {
    this.#stage = stage;
    stage.host.options.answer = (_request, socket) => {
      this.#sockets.push(socket);
      return null;
    };
  }

  /** Sends a message, resolves once the host has it. */
  async ask(client: Client, message: Buffer = post()): Promise<void> {
    const { host } = this.#stage;
    const heard = host.request(host.requests.length);
    client.write(message);
    await heard;
  }

  /** A client whose message is under way. */
  async occupant(options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = await this.#stage.connect(options);
    await this.ask(client);
    return client;
  }

  /** Answers so many of the messages that wait, the oldest first. */
  release(count = this.#sockets.length): void {
    for (const socket of this.#sockets.splice(0, count)) socket.write(acknowledgement);
  }
}
