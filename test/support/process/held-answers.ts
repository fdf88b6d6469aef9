/** A host that holds its responses back until the test releases them. */
import type { Socket } from 'node:net';
import type { Client, ClientOptions } from './client.ts';
import { post } from './client.ts';
import { acknowledgement } from './host.ts';
import type { Stage } from './stage.ts';

export class HeldAnswers {
  readonly #stage: Stage;
  readonly #sockets: Socket[] = [];

  /** Holds every response from now on. */
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

  /** Opens a client whose message is in flight. */
  async occupant(options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = await this.#stage.connect(options);
    await this.ask(client);
    return client;
  }

  /** Answers `count` of the pending messages, the oldest first. */
  release(count = this.#sockets.length): void {
    for (const socket of this.#sockets.splice(0, count)) socket.write(acknowledgement);
  }
}
