#include "control/upstreams/table_maker.hpp"

#include <utility>

namespace penstock::control {

void TableMaker::make(upstream::Balance balance, std::vector<upstream::EndpointSpec> endpoints,
                      Answer answer) {
  if (upstream::are_quick_tables(balance, endpoints.size()))
    return answer(upstream::make_slot_tables(balance, endpoints));
  const auto tables = std::make_shared<std::shared_ptr<const upstream::SlotTables>>();
  worker_.run([balance, endpoints = std::move(endpoints),
               tables] { *tables = upstream::make_slot_tables(balance, endpoints); },
              [tables, answer = std::move(answer), life = std::weak_ptr{alive_}] {
                if (!life.expired()) answer(std::move(*tables));
              });
}

}  // namespace penstock::control
