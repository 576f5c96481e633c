import { promisify } from 'node:util';
import { Client as GrpcClient, credentials, Server, ServerCredentials, status, type MethodDefinition, type sendUnaryData } from '@grpc/grpc-js';

/** What the dispatcher calls, and what a client calls when it connects. */
const METHODS = [
  'GetSystemInfo',
  'DescribeWorkflowExecution',
  'StartWorkflowExecution',
  'SignalWorkflowExecution',
  'SignalWithStartWorkflowExecution',
];

const asIs = (bytes: Buffer): Buffer => bytes;

const definition = (name: string): MethodDefinition<Buffer, Buffer> => ({
  path: `/temporal.api.workflowservice.v1.WorkflowService/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

interface Failure {
  code: status;
  details: string;
}

/** Fails a call, now or later, or does not. `about` is the call's message as text, in which ids can be found. */
export type Fault = (call: { method: string; about: string }) => Failure | undefined | Promise<Failure | undefined>;

const NONE: Fault = () => undefined;

/** A gRPC server in front of Temporal. It fails calls as it is told, and passes the others on. */
export async function startTemporalProxy(target: string) {
  const upstream = new GrpcClient(target, credentials.createInsecure());
  const server = new Server();
  let fault: Fault = NONE;
  const serve = async (method: string, request: Buffer, answer: sendUnaryData<Buffer>): Promise<void> => {
    const failure = await fault({ method, about: request.toString('latin1') });
    if (failure) answer(failure);
    else upstream.makeUnaryRequest(definition(method).path, asIs, asIs, request, answer);
  };
  for (const method of METHODS) {
    const handler = (call: { request: Buffer }, answer: sendUnaryData<Buffer>) => void serve(method, call.request, answer);
    server.addService({ [method]: definition(method) }, { [method]: handler });
  }
  const port = await promisify<string, ServerCredentials, number>(server.bindAsync.bind(server))(
    '127.0.0.1:0',
    ServerCredentials.createInsecure(),
  );
  return {
    address: `127.0.0.1:${port}`,
    failOn(next: Fault): void {
      fault = next;
    },
    close(): void {
      server.forceShutdown();
      upstream.close();
    },
  };
}
