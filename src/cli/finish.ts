/** Reports the exit code of the command that ran. In a file of its own, because program.ts imports the files that use it. */
export type Finish = (code: number) => void;
