/** Loaded into a process before its own code (`--import`): appends what each thread has loaded to the file of `EHI_TEST_LOADS`, the URL of a file or the name of a part of Node on each line. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const write = (lines: readonly string[]) =>
  appendFileSync(process.env.EHI_TEST_LOADS ?? '', lines.map((line) => `${line}\n`).join(''));

registerHooks({
  load: (url, context, next) => {
    if (url.startsWith('file:')) write([url]);
    return next(url, context);
  },
});

process.on('exit', () => write((process as unknown as { moduleLoadList: string[] }).moduleLoadList));
