import { describe, expect, it } from 'vitest';
import { AuditBatch } from '../../src/audit/batch.ts';

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());

/** As the control thread gets it, and gives it back: at each end the other's view of it is gone. */
function away(bytes: Uint8Array<ArrayBuffer> | null): { text: string | null; buffer: ArrayBuffer } {
  if (bytes === null) throw new Error('nothing was collected');
  const { buffer } = structuredClone(bytes, { transfer: [bytes.buffer] });
  expect(bytes.length).toBe(0);
  return { text: text(new Uint8Array(buffer).subarray(0, buffer.byteLength)), buffer };
}

describe('a batch of audit lines', () => {
  it('returns the added lines in order, and null the next time', () => {
    const batch = new AuditBatch();
    const lines = ['{"a":1}\n', `{"long":"${'x'.repeat(300_000)}"}\n`, '{"not":"Zürich 日本 🔒"}\n'];
    for (const line of lines) batch.add(line);
    expect(text(batch.take())).toBe(lines.join(''));
    expect(batch.take()).toBe(null);
  });

  it('reuses a buffer that was given back, without its former content', () => {
    const batch = new AuditBatch();
    batch.add('a longer line than the next ones\n');
    const { buffer } = away(batch.take());
    batch.giveBack(buffer);
    batch.add('two\n');
    expect(text(batch.take())).toBe('two\n');
    batch.add('3\n');
    const third = batch.take();
    expect(text(third)).toBe('3\n');
    expect(third?.buffer).toBe(buffer);
  });

  it('drops a buffer that only a burst needed', () => {
    const batch = new AuditBatch();
    batch.add(`${'x'.repeat(2_000_000)}\n`);
    const { buffer } = away(batch.take());
    batch.giveBack(buffer);
    for (let count = 0; count < 3; count++) {
      batch.add('one\n');
      expect(batch.take()?.buffer).not.toBe(buffer);
    }
  });
});
