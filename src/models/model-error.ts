/**
 * Why a model cannot be used. `missing`: a file or folder is not there. `damaged`: a file is not what it says it
 * is. `unsupported`: all is well but it is no model of ours. `unreachable`: it could not be fetched.
 */
export type ModelErrorReason = 'missing' | 'damaged' | 'unsupported' | 'unreachable';

/**
 * A model cannot be used. Raised while a model is fetched or loaded, before anyone is served: the message is for
 * the operator and names the file.
 */
export class ModelError extends Error {
  readonly reason: ModelErrorReason;

  constructor(reason: ModelErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ModelError';
    this.reason = reason;
  }
}
