// The same program with the client that @hey-api/openapi-ts makes of the documents.

import { client } from './hey-ordercloud/client.gen';
import {
  adminUserGroupsCreate,
  adminUserGroupsDelete,
  adminUserGroupsGet,
  adminUserGroupsList,
  adminUserGroupsPatch,
  adminUserGroupsSave,
  authToken,
} from './hey-ordercloud/sdk.gen';
import type { UserGroup, UserGroupInput } from './hey-ordercloud/types.gen';
import { client as coreClient } from './hey-core/client.gen';
import { addOrEditGroup, listAllGroups } from './hey-core/sdk.gen';

/** The value, or an error with its name if it is missing. */
function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

export async function flow(url: string, id: string, secret: string) {
  client.setConfig({ baseUrl: url });
  const granted = await authToken({
    body: { grant_type: 'client_credentials', client_id: id, client_secret: secret, scope: 'FullAccess' },
  });
  const token = must(granted.data, 'token').access_token;
  client.setConfig({ auth: token });
  coreClient.setConfig({ baseUrl: url, auth: token });

  const draft: UserGroupInput = { ID: '', Name: 'Typed', xp: { Dept: 'IT', Floors: [1, 2] } };
  const made: UserGroup = must((await adminUserGroupsCreate({ body: draft })).data, 'group');
  const path = { userGroupID: made.ID };

  const query = { filters: { Name: 'Typ*', 'xp.Dept': 'IT' }, sortBy: '!Name', pageSize: 10 };
  // Filters are separate parameters, one for each field.
  const querySerializer = { object: { style: 'form', explode: true } } as const;
  const listed = must((await adminUserGroupsList({ query, querySerializer })).data, 'list');
  const names: string[] = listed.Items.map((group) => group.Name);
  const total: number | bigint = listed.Meta.TotalCount;

  const patched = await adminUserGroupsPatch({ path, body: { Description: 'Changed', xp: { Floors: null } } });
  const { Description, xp } = must(patched.data, 'patched group');

  // A response body can be sent as a request body, too.
  const restored: string | null = must((await adminUserGroupsSave({ path, body: made })).data, 'saved group').Description;

  const deleted = await adminUserGroupsDelete({ path });
  const gone = await adminUserGroupsGet({ path });
  const { ErrorCode, Data } = must(must(gone.error, 'error').Errors[0], 'entry');

  const added = await addOrEditGroup({ body: { Labels: '{"en":"Core"}' } });
  const groups = must((await listAllGroups()).data, 'groups');
  const refused = await addOrEditGroup({ body: { ID: null, Labels: '{}' } });

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
