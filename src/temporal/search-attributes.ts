import { status } from '@grpc/grpc-js';
import { isGrpcServiceError } from '@temporalio/client';
import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';

const KEYWORD = 2;

/** The part of a Temporal connection that is used here. Every kind of connection has it. */
interface Operators {
  operatorService: {
    addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
  };
}

/** Registers the search attribute that workflows set. Without it every workflow task would fail. */
export async function registerSearchAttributes({ operatorService }: Operators, namespace: string): Promise<void> {
  const searchAttributes = { [STATUS_SEARCH_ATTRIBUTE.name]: KEYWORD };
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== status.ALREADY_EXISTS) throw error;
  }
}
