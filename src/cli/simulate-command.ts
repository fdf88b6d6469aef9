/** The options and help text of `ehi-gateway simulate`. */
import type { Command } from 'commander';
import type { Finish } from './finish.ts';

export function addSimulate(_program: Command, _finish: Finish): void {}
