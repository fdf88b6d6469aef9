#!/usr/bin/env node
/** The entry point: argv → command → exit code. */
import './node-version.ts';
import './inspector-off.ts';
import { execute } from './cli/program.ts';

// Explicit exit: a signal during Node's own shutdown would change the exit code.
process.exit(await execute(process.argv));
