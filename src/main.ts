#!/usr/bin/env node
/** argv → command → exit code; nothing else. */
import './node-version.ts';
import './inspector-off.ts';
import { execute } from './cli/program.ts';

// Ended here and now: a signal that comes while Node takes itself apart would change the exit code.
process.exit(await execute(process.argv));
