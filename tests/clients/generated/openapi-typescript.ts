// A program with the types that openapi-typescript makes of the documents. The compiler checks it as much as the test
// does.

import createClient from 'openapi-fetch';
import type { paths as OrderCloud, components } from './ordercloud';
import type { paths as Core } from './core';

type UserGroup = components['schemas']['UserGroup'];
type UserGroupInput = components['schemas']['UserGroupInput'];

/** The value, or an error with its name if it is missing. */
function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

export async function flow(url: string, id: string, secret: string) {
  // Filters are separate parameters, one for each field.
  const querySerializer = { object: { style: 'form', explode: true } } as const;
  const client = createClient<OrderCloud>({ baseUrl: url, querySerializer });
  const granted = await client.POST('/oauth/token', {
    body: { grant_type: 'client_credentials', client_id: id, client_secret: secret, scope: 'FullAccess' },
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    bodySerializer: (body) => new URLSearchParams({ ...body }).toString(),
  });
  const token = must(granted.data, 'token').access_token;
  const headers = { Authorization: `Bearer ${token}` };

  const draft: UserGroupInput = { ID: '', Name: 'Typed', xp: { Dept: 'IT', Floors: [1, 2] } };
  const made: UserGroup = must((await client.POST('/v1/usergroups', { headers, body: draft })).data, 'group');
  const path = { userGroupID: made.ID };

  const query = { filters: { Name: 'Typ*', 'xp.Dept': 'IT' }, sortBy: '!Name', pageSize: 10 };
  const listed = must((await client.GET('/v1/usergroups', { headers, params: { query } })).data, 'list');
  const names: string[] = listed.Items.map((group) => group.Name);
  const total: number = listed.Meta.TotalCount;

  const change = { Description: 'Changed', xp: { Floors: null } };
  const patched = await client.PATCH('/v1/usergroups/{userGroupID}', { headers, params: { path }, body: change });
  const { Description, xp } = must(patched.data, 'patched group');

  // A response body can be sent as a request body, too.
  const saved = await client.PUT('/v1/usergroups/{userGroupID}', { headers, params: { path }, body: made });
  const restored: string | null = must(saved.data, 'saved group').Description;

  const deleted = await client.DELETE('/v1/usergroups/{userGroupID}', { headers, params: { path } });
  const gone = await client.GET('/v1/usergroups/{userGroupID}', { headers, params: { path } });
  const { ErrorCode, Data } = must(must(gone.error, 'error').Errors[0], 'entry');

  const core = createClient<Core>({ baseUrl: url });
  const added = await core.POST('/api/admin/v1/users-groups', { headers, body: { Labels: '{"en":"Core"}' } });
  const groups = must((await core.GET('/api/admin/v1/users-groups/list-all', { headers })).data, 'groups');
  const refused = await core.POST('/api/admin/v1/users-groups', { headers, body: { ID: null, Labels: '{}' } });

  return {
    names,
    total,
    Description,
    dept: xp?.Dept,
    floors: xp?.Floors,
    restored,
    deleted: deleted.response.status,
    error: { code: ErrorCode, of: Data?.ObjectType },
    core: { added: added.data?.Success, labels: groups.map((group) => group.Labels), refused: refused.error?.Message },
  };
}
