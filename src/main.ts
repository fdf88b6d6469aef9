#!/usr/bin/env node
/** argv → command → exit code; nothing else. */
import { execute } from './cli/program.ts';

// Node would start its inspector on SIGUSR1: a debugger in front of card messages.
process.on('SIGUSR1', () => {});

process.exitCode = await execute(process.argv);
