/** Loaded into a process before its own code (`--import`): appends the name of each library that a thread loads to the file of `EHI_TEST_LIBRARIES`. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  load: (url, context, next) => {
    const [, library] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? [];
    if (library !== undefined) appendFileSync(process.env.EHI_TEST_LIBRARIES ?? '', `${library}\n`);
    return next(url, context);
  },
});
