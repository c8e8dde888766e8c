/** `GET /v1/models`: the model this node serves, under its own name and those of others that stand for it. */
import { type Context, Hono } from 'hono';
import { Failure } from '../../domain/failure.ts';
import type { Abilities } from '../options.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { params, vendorCodes } from './problem.ts';
import { tenantOf } from './tenant.ts';

/** A model as OpenAI lists it. */
export interface Model {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since the epoch; 0, as a checkpoint does not say when it was made. */
  readonly created: number;
  readonly owned_by: string;
}

const namesOf = ({ modelName, modelAliases }: Abilities): string[] => [modelName, ...modelAliases];

/** @throws Failure `not_found` for a model that this node does not serve. */
export function checkModel(name: string, abilities: Abilities): void {
  if (namesOf(abilities).includes(name)) return;
  const failure = new Failure(
    'not_found',
    `The model ${name} does not exist here: this node serves ${abilities.modelName}.`,
  );
  params.set(failure, 'model');
  vendorCodes.set(failure, 'model_not_found');
  throw failure;
}

const modelOf = (id: string): Model => ({ id, object: 'model', created: 0, owned_by: 'earshot' });

/** The routes of this face. */
export function modelRoutes({ access, abilities }: HttpParts): Routes {
  const routes: Routes = new Hono<Env>();

  routes.get('/v1/models', async (c) => {
    await tenantOf(c, access);
    return c.json({ object: 'list', data: namesOf(abilities).map(modelOf) });
  });

  routes.get('/v1/models/:model', async (c: Context<Env>) => {
    await tenantOf(c, access);
    const name = c.req.param('model')!;
    checkModel(name, abilities);
    return c.json(modelOf(name));
  });

  return routes;
}
