import { Writable } from 'node:stream';
import { prettyFactory } from 'pino-pretty';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { createLogger, forTerminal } from '../../src/telemetry/logger.ts';

const card = '4111111111111111';

afterEach(() => {
  delete process.env.EHI_LOG_LEVEL;
});

/** A log whose lines are kept. */
function captured() {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { logger: createLogger(stream), lines: () => text.trim().split('\n').filter(Boolean) };
}

describe('the operational log', () => {
  it('is JSON with an ISO time', () => {
    const { logger, lines } = captured();
    logger.info({ route: '/' }, 'ready');
    const [line = ''] = lines();
    expect(JSON.parse(line)).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      route: '/',
      msg: 'ready',
    });
  });

  it.each([
    ['in the message', {}, `declined ${card}`],
    ['in a field', { path: `/cards/${card}` }, 'x'],
    ['encoded in a field', { path: `/cards/%34${card.slice(1)}` }, 'x'],
    ['as a number', { value: Number(card) }, 'x'],
    ['as a number in a list', { value: [1, -Number(card)] }, 'x'],
    ['as a fraction', { value: 0.4111111111111111 }, 'x'],
    ['as the name of a field', { [card]: 1 }, 'x'],
    ['in an error', { err: new Error(`cannot read ${card}`, { cause: new Error(card) }) }, 'x'],
  ])('masks a card number %s, and stays JSON', (_title, fields, message) => {
    const { logger, lines } = captured();
    logger.error(fields, message);
    const [line = ''] = lines();
    expect(lines()).toHaveLength(1);
    expect(line).toContain('[digits]');
    expect(line).not.toMatch(/[0-9]{13}/);
    expect(JSON.parse(line)).toMatchObject({ level: 50, time: expect.stringContaining('T') });
  });

  it('contains no character that changes what a terminal shows, and a reader gets the text unchanged', () => {
    const { logger, lines } = captured();
    const name = 'CN=\u202eevil\u009b31m\u3164';
    logger.warn({ name }, `failed: ${name}`);
    const [line = ''] = lines();
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(line)).toMatchObject({ name, msg: `failed: ${name}` });
    const shown = 'CN=\\u{202e}evil\\u{9b}31m\\u{3164}';
    expect(forTerminal(line)).toMatchObject({ level: 40, name: shown, msg: `failed: ${shown}` });
    const text = prettyFactory({ colorize: false })(forTerminal(line));
    expect(text).toContain(`failed: ${shown}`);
  });

  it('masks the bindings of a child', () => {
    const { logger, lines } = captured();
    logger.child({ peer: card }).warn('x');
    expect(lines()[0]).toContain('"peer":"[digits]"');
  });

  it('reads its level from EHI_LOG_LEVEL', () => {
    process.env.EHI_LOG_LEVEL = 'error';
    const { logger, lines } = captured();
    logger.warn('not this');
    logger.error('but this');
    expect(lines().map((line) => JSON.parse(line).msg)).toEqual(['but this']);
  });

  it('refuses a level that does not exist', () => {
    process.env.EHI_LOG_LEVEL = 'loud';
    expect(() => captured()).toThrow(ConfigError);
  });
});
