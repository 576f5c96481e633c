const { DefaultFailureConverter } = require('@temporalio/common');

/**
 * Puts the message and the stack trace of a failure into a payload, so that they are encrypted with the rest. CommonJS, because
 * the SDK loads it with `require`, and also puts it into the bundle of the workflows.
 */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
