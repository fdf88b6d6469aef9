/** The end of a connection: the second for the client begins only when the response has been sent. */
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lingeringClose } from '../../src/message/lingering-close.ts';

/** A socket whose client reads what was written only on `leave`. */
class Slow extends Duplex {
  readonly left: string[] = [];
  #leave: (() => void) | null = null;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#leave = () => {
      this.left.push(bytes.toString());
      done();
    };
  }

  leave(): void {
    const leave = this.#leave;
    this.#leave = null;
    leave?.();
  }
}

let socket: Slow;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  socket = new Slow();
});

afterEach(() => {
  socket.destroy();
  vi.useRealTimers();
});

const close = (answer: Buffer | null) => lingeringClose(socket as unknown as TLSSocket, answer);
const turn = () => new Promise(setImmediate);

it('waits for a response that is sent slowly, then one second for the client', async () => {
  socket.write('earlier');
  close(Buffer.from('last'));
  vi.advanceTimersByTime(4_000);
  socket.leave();
  await turn();
  vi.advanceTimersByTime(4_000);
  socket.leave();
  await turn();
  expect(socket.left).toEqual(['earlier', 'last']);
  vi.advanceTimersByTime(999);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
});

it('destroys the socket if the client reads nothing for ten seconds', async () => {
  close(Buffer.from('last'));
  vi.advanceTimersByTime(9_999);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
});

it('ends as soon as the response is sent if the client has ended', async () => {
  close(Buffer.from('last'));
  socket.push(null);
  await turn();
  expect(socket.destroyed).toBe(false);
  socket.leave();
  await turn();
  expect(socket.left).toEqual(['last']);
  expect(socket.destroyed).toBe(true);
});

it('reads at most 64 KiB, and still gives the client a second to read the response', async () => {
  close(Buffer.from('last'));
  socket.push(Buffer.alloc(64 * 1024 + 1));
  await turn();
  expect(socket.isPaused()).toBe(true);
  socket.leave();
  await turn();
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect(socket.destroyed).toBe(true);
});

it('sets no timer for a destroyed socket', () => {
  socket.destroy();
  close(Buffer.from('last'));
  expect(vi.getTimerCount()).toBe(0);
});
